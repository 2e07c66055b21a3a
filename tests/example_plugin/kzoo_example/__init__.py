"""A plugin of kzoo: one builder and one spec."""
