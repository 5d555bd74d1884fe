namespace Ashlar.Volumes;

/// <summary>A resizing that takes long, because space is taken or given back.</summary>
/// <param name="FromBytes">The size before.</param>
/// <param name="ToBytes">The size that is asked for.</param>
/// <param name="DoneBytes">How much of the difference has been gone through.</param>
public sealed record VolumeResize(long FromBytes, long ToBytes, long DoneBytes);
