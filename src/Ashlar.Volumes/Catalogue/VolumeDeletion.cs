namespace Ashlar.Volumes;

/// <summary>A volume that is deleted, durably and for everyone, and whose space is being given back.</summary>
public sealed class VolumeDeletion
{
    internal VolumeDeletion(VolumeDevice volume, Task completion)
    {
        Volume = volume;
        TotalBytes = volume.AllocatedBytes;
        Completion = completion;
    }

    internal VolumeDevice Volume { get; }

    /// <summary>Space of the pool that the volume occupied.</summary>
    public long TotalBytes { get; }

    /// <summary>How much of it the volume has let go of.</summary>
    public long FreedBytes => Math.Max(0, TotalBytes - Volume.AllocatedBytes);

    /// <summary>
    /// Completes when the space is free. If the pool is closed or fails before that, it is cancelled or fails, and the next
    /// opening goes on.
    /// </summary>
    public Task Completion { get; }
}
