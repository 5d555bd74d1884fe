namespace Ashlar.Blocks.FileSystem;

/// <summary>A piece of a device that belongs to a file system.</summary>
/// <param name="OffsetBytes">Where it begins on the device.</param>
/// <param name="LengthBytes">How long it is.</param>
public readonly record struct RegionExtent(long OffsetBytes, long LengthBytes);
