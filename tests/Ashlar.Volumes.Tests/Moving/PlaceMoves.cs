using Ashlar.Blocks;

namespace Ashlar.Volumes.Tests;

/// <summary>Moves what lies in a range of chunks once, and puts the range back into use.</summary>
static class PlaceMoves
{
    /// <summary>Moves it as far as there is room, on a thread that may wait.</summary>
    public static Task<MoveResult> MoveAsync(StoragePool pool, (long First, long End) range) => Task.Run(() =>
    {
        var result = new MoveResult();
        var end = Math.Min(range.End, pool.Space.ChunkCount);
        if (pool.Space.TryBar(range.First, end, instead: null, out _) is not { } barred) return result;
        try
        {
            var search = new LeafSearch(pool.Parts);
            var target = new BarredTarget(pool.Space);
            while (!search.IsDone)
            {
                if (search.Next(1 << 20) is { Count: > 0 } leaves) pool.Mover.Move(leaves, target, result);
            }
        }
        catch (DeviceFullException)
        {
            // What was moved until then stays where it is.
        }
        finally
        {
            pool.Space.Unbar(barred);
        }

        return result;
    });
}
