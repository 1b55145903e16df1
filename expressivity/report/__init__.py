"""What people and programs read: the ladder as text and as JSON, the build of a construction, saved certificates."""
