"""The typed things that stages hand to one another: one reader and one writer each."""
