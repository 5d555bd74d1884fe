namespace Ashlar.Volumes;

/// <summary>A volume in the trash.</summary>
/// <param name="Volume">What it was, and is again when it is restored.</param>
/// <param name="DeletedAt">Since when it is there.</param>
/// <param name="ExpiresAt">When it goes for good, unless the pool needs its space before.</param>
public sealed record TrashedVolume(VolumeInfo Volume, DateTimeOffset DeletedAt, DateTimeOffset ExpiresAt)
{
    internal static TrashedVolume? Of(VolumeDevice volume) =>
        volume.Record.Trashed is var (since, until) ? new(VolumeInfo.Of(volume), since, until) : null;
}
