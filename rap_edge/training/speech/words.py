"""The words of the sentence generator, chosen so that every English phone is frequent."""

from __future__ import annotations


def _listed(text: str) -> tuple[str, ...]:
    """Split at commas and remove line breaks."""
    return tuple(item.strip() for item in " ".join(text.split()).split(","))


NOUNS = _listed("""
apple, baker, basket, beach, bell, bird, boat, book, bottle, bridge, brother, bubble, button,
camera, candle, castle, cat, chair, cheese, cherry, child, church, city, cloud, coat, coffee,
corner, cousin, cup, daughter, doctor, dog, door, dream, drum, engine, evening, father, feather,
field, finger, fire, fish, flower, fog, forest, fountain, fox, friend, garden, ghost, giant,
glove, goat, grape, guitar, hammer, harbour, hat, heart, horse, hour, house, island, jacket,
jaw, jewel, journey, judge, kettle, key, king, kitchen, ladder, lake, lamp, leaf, lemon, letter,
lion, machine, map, market, measure, mirror, mother, mountain, mouse, mouth, museum, music,
needle, nephew, night, number, ocean, oil, onion, orange, oven, owl, page, paper, path, pepper,
photo, piano, picture, pilot, pipe, plough, pocket, potato, puddle, pumpkin, puppet, queen,
question, rabbit, radio, rain, rainbow, ribbon, river, road, robot, room, rope, sailor, salt,
sandwich, scarf, school, sheep, ship, shoe, shoulder, singer, sister, snow, sofa, song, soup,
spider, spoon, station, stone, storm, story, street, sugar, summer, sun, teacher, theatre,
thief, thought, thumb, ticket, tiger, toe, tower, town, toy, train, treasure, tree, truth,
tunnel, uncle, valley, vase, village, violin, vision, voice, volcano, wagon, wall, watch, water,
wave, weather, wheel, whistle, window, winter, wolf, wood, wool, world, yacht, year, yolk,
zebra, zoo
""")

VERBS = _listed("""
admired, asked, baked, borrowed, bought, brought, brushed, built, buried, called, carried,
caught, chased, chewed, chose, climbed, closed, copied, covered, crossed, described, drew,
drove, enjoyed, explained, fetched, filled, finished, fixed, followed, forgot, found, gave,
grabbed, guarded, heard, held, hid, joined, judged, kept, kicked, knew, lifted, liked, lost,
loved, measured, mended, met, missed, moved, noticed, opened, ordered, packed, painted, passed,
picked, placed, praised, promised, pulled, pushed, reached, remembered, rubbed, saved, saw,
sewed, shared, showed, sold, solved, spoiled, studied, taught, threw, told, took, touched,
trusted, used, visited, wanted, washed, watched, weighed, welcomed, whispered, wished, wrote
""")

ADJECTIVES = _listed("""
amazing, angry, awful, beautiful, big, blue, brave, bright, broad, brown, busy, calm, cheap,
clever, cold, curious, damp, dark, dear, deep, dry, dull, early, empty, famous, fast, funny,
fuzzy, gentle, golden, good, green, grey, happy, heavy, huge, joyful, large, late, lazy, light,
little, lonely, loud, lovely, lucky, mild, narrow, new, noisy, odd, old, orange, pale, perfect,
polite, poor, pure, purple, quick, quiet, rare, red, rich, rough, round, royal, shallow, sharp,
shiny, short, shy, silver, simple, slow, smooth, soft, sour, strange, strong, sweet, tall,
thick, thin, tiny, warm, weird, white, wide, wild, wise, wooden, yellow, young
""")

ADVERBS = _listed("""
again, already, always, away, badly, boldly, carefully, early, easily, finally, gladly, hardly,
here, immediately, lately, nearly, never, often, outside, politely, quickly, quietly, rarely,
slowly, smoothly, sometimes, soon, suddenly, there, together, tomorrow, truly, usually, very,
often, warmly, well, yesterday
""")

PLACES = _listed("""
above the bridge, across the road, at the airport, at the theatre, before breakfast, behind the
church, below the stairs, beside the river, beyond the valley, by the fire, during the show,
from the north, in the garage, in the kitchen, in the middle of May, inside the museum, near the
harbour, on the beach, on the roof, on Thursday evening, over the hill, past the old mill,
through the woods, under the table, under the blue umbrella, with both hands, with pleasure,
without a word
""")

NAMES = _listed("""
Abby, Arthur, Beth, Bob, Charlotte, Chloe, Dave, Emma, Faith, Felix, George, Georgia, Hugh, Ivy,
Jack, Joyce, Judith, Kate, Leo, Maeve, Mark, Mabel, Noah, Olive, Oscar, Paul, Peggy, Phoebe,
Quinn, Ruth, Sasha, Shirley, Theo, Thelma, Una, Vera, Victor, Walter, Will, Yusuf, Zoe
""")

OPENINGS = _listed("""
Well, Okay, So, Oh, Yes, No, Maybe, Please, Listen, Honestly, Of course, By the way, Hello, Good
morning, Thank you, Sorry, Perhaps, You know, I think, In fact
""")

UNITS = _listed("""
minutes, pages, pounds, miles, metres, people, apples, degrees, boxes, chairs, voices, weeks
""")

TEMPLATES = (
    "The {a} {n} {v} the {n}.",
    "The {n} and the {n} {v} a {a} {n} {p}.",
    "{name} {v} my {a} {n} {d}.",
    "{o}, {name} {v} it {d}.",
    "Did {name} ever see the {a} {n} {p}?",
    "Why is the {n} so {a}?",
    "What would you do with {k} {u} and a {a} {n}?",
    "Could you show me the {n} {p}, {name}?",
    "I have {k} {u}, {k} {u} and one {n}.",
    "It takes {k} {u} to reach the {n} {p}.",
    "The number is {k}, {k}, {k}.",
    "{o}, that was a {a} idea.",
    "{name} and {name} met {p}, and they {v} the {n} {d}.",
    "My {n} is {a}, but your {n} is {a} and {a}.",
    "We {v} the {n} {p} because the {n} was too {a}.",
    "Whenever the {n} is {a}, {name} stays {p}.",
    "This {n}, which nobody {v}, costs {k} dollars.",
    "Oh! A {a} {n}!",
    "{o}, no.",
    "How {a}!",
    "If I were a {n}, I would live {p} with {k} {a} {n}s.",
    "First {name} {v} the {n}, then a {n}, and at last the whole {n}.",
    "Every {n} has a {n}, and every {n} needs a {a} {n}.",
    "{name} said: the {n} {v} the {n}, didn't it?",
    "Both my {n} and his {n} were {a}, weren't they?",
    "Only {k} of the {k} {u} {p} were {a}.",
    "You should never put a {n} {p}.",
    "They were {d} {p}.",
    "{o}, the {a}, {a} {n} {v} us all {d}, and we laughed about it for {k} {u}.",
    "The meeting on Monday starts at {k} and ends {p}.",
)

# Written by hand and never spoken in training, whatever the seed.
RESERVED = (
    "A photo begins to talk when the voice and the lips agree.",
    "Bob probably saved a pebble from every beach he ever visited.",
    "The weather vane squeaks each time the south wind blows.",
    "Would you pour me a cup of warm water before we go?",
    "Five vivid violets grew above the wharf in February.",
    "She chose a fresh shirt, washed her face and rushed to the shop.",
    "Thirty-three thin threads hold the whole thing together.",
    "Please put the purple paper bag back by the piano.",
    "How high is the tower, and who would dare to climb it?",
    "Joy and her boys enjoy noisy toys.",
    "We owe you one hundred and forty-two pounds, I'm afraid.",
    "Measure the azure vase twice, then cut the pages once.",
    "The early bird heard a word from the earth.",
    "You used to chew blue gum in the school bus.",
    "Oh no, the road is closed, so we'll row the boat home.",
    "My mom made jam, my uncle hummed, and nobody minded the time.",
    "Can you hear me now? Yes, clearly. Good.",
    "If a dog digs, a big dog digs a bigger ditch.",
    "Quite a few quick foxes quarrel quietly.",
    "Thank you very much for watching, and goodbye until tomorrow.",
)
