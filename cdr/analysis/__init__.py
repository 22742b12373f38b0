"""What analysts get: the card as tables, and what of it they may see."""
