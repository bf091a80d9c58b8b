"""The commands of `hatch-release`: what `hatch build` has no words for, one file each."""
