"""The tests. A folder is a group; README.md here says what each group is and what CI may skip."""
