using Ashlar.Blocks;

namespace Ashlar.Volumes;

/// <summary>
/// Gives back what a crash left in chunks that nobody owns: written but never committed, or let go of but not punched yet. It
/// would never be read, but it would take space of the file system below until the chunks are used again.
/// </summary>
static class Leftovers
{
    /// <summary>Punches every free chunk. Call before the pool takes requests, when free means free on stable storage.</summary>
    public static async ValueTask PunchAsync(IBlockDevice device, ChunkSpace space)
    {
        try
        {
            for (var run = space.FindFreeRun(0); run.Count > 0; run = space.FindFreeRun(run.First + run.Count))
            {
                await device.TrimAsync(
                    new Lba(run.First * MapLayout.ChunkBytes / device.Geometry.BlockSizeBytes),
                    run.Count * MapLayout.ChunkBytes / device.Geometry.BlockSizeBytes);
            }
        }
        catch (Exception cause) when (cause is BlockDeviceException or NotSupportedException)
        {
            // Space is all that was at stake; a device that is ill says so to the next request that matters.
        }
    }
}
