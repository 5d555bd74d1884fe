namespace Ashlar.Volumes;

/// <summary>A volume that is deleted, durably and for everyone, and whose space is being given back.</summary>
public sealed class VolumeDeletion
{
    readonly VolumeDevice volume;

    internal VolumeDeletion(VolumeDevice volume, Task completion)
    {
        this.volume = volume;
        TotalBytes = volume.AllocatedBytes;
        Completion = completion;
    }

    /// <summary>Space of the pool that the volume occupied.</summary>
    public long TotalBytes { get; }

    /// <summary>How much of it the volume has let go of.</summary>
    public long FreedBytes => Math.Max(0, TotalBytes - volume.AllocatedBytes);

    /// <summary>
    /// Completes when the space is free. If the pool is closed or fails before that, it is cancelled or fails, and the next
    /// opening goes on.
    /// </summary>
    public Task Completion { get; }
}
