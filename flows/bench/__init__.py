"""What flows cost, and what they stand."""
