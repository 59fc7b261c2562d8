"""What a machine and a checkout have, looked at for real: networks are opened, encoders encode, hashes are taken."""
