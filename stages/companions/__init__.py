"""Stage ``companions``: a further identity's face sets and consent in, what training needs to know of them out."""
