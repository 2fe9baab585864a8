"""What any program needs of its machine: files, downloads, several processes, memory, progress, wording."""
