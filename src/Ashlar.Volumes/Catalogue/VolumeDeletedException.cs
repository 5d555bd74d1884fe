using Ashlar.Blocks;

namespace Ashlar.Volumes;

/// <summary>The volume was deleted while its device was in use.</summary>
public sealed class VolumeDeletedException(string device)
    : BlockDeviceException(device, "the volume was deleted");
