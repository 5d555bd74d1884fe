using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>A disk that others write to as well: they take whatever is free, whenever they are told to.</summary>
sealed class CrowdedDisk : IDisposable
{
    readonly IFile ballast;
    long taken;

    public CrowdedDisk(SimulatedFileSystem? disk = null)
    {
        Disk = disk ?? TestStore.NewDisk();
        Disk.CapacityBytes = 4 << 20;
        ballast = Disk.Open("/ballast", FileOpenMode.CreateNew);
    }

    public SimulatedFileSystem Disk { get; }

    public void TakeWhatIsFree()
    {
        while (Disk.GetFreeSpaceBytes("/") is var free and > 0)
        {
            try
            {
                ballast.Allocate(taken, free);
                taken += free;
            }
            catch (StorageException)
            {
                return; // The store was faster.
            }
        }
    }

    public void GiveBack(long bytes)
    {
        taken -= bytes;
        ballast.SetLength(taken);
    }

    public void Dispose() => ballast.Dispose();
}
