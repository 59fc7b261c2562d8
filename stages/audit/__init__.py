"""The log of what was done with people's likenesses: consent checks, trainings, deliveries, withdrawals."""
