namespace Ashlar.Volumes;

/// <summary>A part of a pool's device where nothing is placed.</summary>
/// <param name="OffsetBytes">Its first byte; whole chunks of 64 KiB.</param>
/// <param name="LengthBytes">Its length.</param>
/// <param name="IsEmpty">Whether it has been emptied for good: no device need be there. Otherwise what lies there is being moved.</param>
public sealed record PoolRange(long OffsetBytes, long LengthBytes, bool IsEmpty);
