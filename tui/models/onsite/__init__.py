"""What our own agent offers beyond the contract, below /v1/onsite/; a console asks for it and does without."""
