namespace Ashlar.Volumes;

/// <summary>How scattered over the device the data of a volume lie.</summary>
/// <param name="DataBytes">What was looked at: all of it, or so much from its beginning.</param>
/// <param name="Pieces">Pieces that lie by themselves on the device.</param>
/// <param name="ScatteredBytes">
/// Data in pieces of less than 1 MiB that a neighbour in the volume does not follow on the device: what reading from the beginning to the
/// end is slowed down by.
/// </param>
/// <param name="IsWhole">Whether all of it was looked at.</param>
public sealed record VolumeFragmentation(long DataBytes, long Pieces, long ScatteredBytes, bool IsWhole);
