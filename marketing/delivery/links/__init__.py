"""Short links and opening pictures: made without a row per person, counted when used."""
