"""What may come before a performer's face: glasses, hands, things that hands hold, hair over the brow."""
