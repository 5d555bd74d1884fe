namespace Ashlar.Files;

/// <summary>What becomes of a note, if it is what the caller has found.</summary>
/// <param name="Name">Which.</param>
/// <param name="Expected">What it has to be; null for none.</param>
/// <param name="Value">What it becomes; null for none.</param>
public sealed record NoteChange(string Name, ReadOnlyMemory<byte>? Expected, ReadOnlyMemory<byte>? Value);
