"""Keeps the stores of a project right: what nothing needs goes, what is corrupt is found, what consent ended is due."""
