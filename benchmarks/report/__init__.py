"""What a benchmark finds: values with intervals, as records, in files, as tables and as plots."""
