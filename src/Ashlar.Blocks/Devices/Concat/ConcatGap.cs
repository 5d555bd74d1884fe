namespace Ashlar.Blocks.Devices;

/// <summary>Where a device was that was taken out of a set.</summary>
/// <param name="LengthBytes">How much of the set lay on it.</param>
/// <param name="OffsetBytes">Where that began; null for where the device before it ends.</param>
public readonly record struct ConcatGap(long LengthBytes, long? OffsetBytes = null);
