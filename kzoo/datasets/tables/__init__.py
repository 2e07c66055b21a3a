"""Tables: files and data frames to typed columns, and columns to what a model takes."""
