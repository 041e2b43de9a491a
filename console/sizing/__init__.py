"""How much of what an installation of a given size needs: measured constants, a pure model, its words."""
