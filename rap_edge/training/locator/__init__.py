"""Training and measuring the face locator: scenes made from portraits, a recipe, a comparison."""
