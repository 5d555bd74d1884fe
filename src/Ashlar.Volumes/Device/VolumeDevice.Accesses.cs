namespace Ashlar.Volumes;

sealed partial class VolumeDevice
{
    /// <summary>What of it was read and written lately.</summary>
    public AccessCounts Accesses { get; } = new();
}
