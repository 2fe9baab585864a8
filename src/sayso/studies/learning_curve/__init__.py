"""How accuracy grows with speakers and with clips of each, and what more of them would bring."""
