namespace Ashlar.Blocks;

/// <summary>
/// Where a device stands for those who use it. It may be exchanged for another while no request is under way.
/// </summary>
sealed class DeviceSlot(IBlockDevice device)
{
    IBlockDevice device = device;

    public IBlockDevice Device
    {
        get => Volatile.Read(ref device);
        set => Volatile.Write(ref device, value);
    }
}
