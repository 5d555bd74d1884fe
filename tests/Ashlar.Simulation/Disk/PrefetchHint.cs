namespace Ashlar.Simulation;

/// <summary>A range that was asked for ahead of need.</summary>
/// <param name="Path">The file, by the path that it was opened by.</param>
/// <param name="OffsetBytes">Where the range begins.</param>
/// <param name="LengthBytes">How long it is.</param>
public readonly record struct PrefetchHint(string Path, long OffsetBytes, long LengthBytes);
