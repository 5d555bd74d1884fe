using System.Diagnostics;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

// Space below, and growing.
public sealed partial class ConcatDevice
{
    /// <inheritdoc />
    /// <remarks>What several devices take their space from counts once. A device that has all of its space counts for none.</remarks>
    public long? FreeSpaceBelowBytes
    {
        get
        {
            long? sum = null;
            var counted = new HashSet<string>(StringComparer.Ordinal);
            foreach (var member in Members)
            {
                if (member.Device is not IReservableDevice device || device.FreeSpaceBelowBytes is not { } below) continue;
                if (device.SpaceBelowIdentity is not { } identity || counted.Add(identity)) sum = below + (sum ?? 0);
            }

            return sum;
        }
    }

    /// <inheritdoc />
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ReserveAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            Geometry.CheckRange(Name, start, blockCount);
            CheckWritable();
            foreach (var (member, first, count) in Split(start.Value, blockCount))
            {
                if (member.Device is not IReservableDevice device) throw new NotSupportedException($"{member.Device.Name} cannot reserve.");
                await device.ReserveAsync(member.On(first), count, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
    }

    /// <inheritdoc />
    /// <remarks>Only the last device grows: those before it are full.</remarks>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask GrowAsync(long blockCount, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _ = BlockGeometry.Create(blockSizeBytes, blockCount);
        await growing.EnterAsync().ConfigureAwait(false);
        try
        {
            CheckWritable();
            var present = Members;
            var last = present[^1];
            if (blockCount <= last.EndBlock) return;
            if (last.Device is GapDevice)
                throw new NotSupportedException($"{Name} cannot grow: its last device was taken out, and only another one adds to it.");
            if (last.Device is not IGrowableDevice device) throw new NotSupportedException($"{last.Device.Name} cannot grow.");
            var unit = ConcatLabel.UnitBytes / blockSizeBytes;
            var wanted = (blockCount - last.StartBlock + unit - 1) / unit * unit;
            await device.GrowAsync(last.SkippedBlocks + wanted, cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref members, [.. present[..^1], last with { BlockCount = wanted }]);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
        finally
        {
            growing.Exit();
        }
    }

    /// <inheritdoc />
    public void DropCached(Lba start, long blockCount)
    {
        Geometry.CheckRange(Name, start, blockCount);
        foreach (var (member, first, count) in Split(start.Value, blockCount))
            (member.Device as ICachingDevice)?.DropCached(member.On(first), count);
    }
}
