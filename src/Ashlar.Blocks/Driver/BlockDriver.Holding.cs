using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks;

// Ranges that a caller keeps for itself over several requests.
public sealed partial class BlockDriver
{
    /// <summary>
    /// Takes whole blocks for the caller alone: nobody else's write, zeroing or trim reaches them until the range is given
    /// back. Reads of others pass.
    /// </summary>
    /// <exception cref="OutOfBoundsException">The range reaches beyond the device.</exception>
    /// <exception cref="BlockAlignmentException">The range begins or ends within a block.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<HeldRange> HoldAsync(long offsetBytes, long lengthBytes, CancellationToken cancellationToken = default)
    {
        var geometry = Device.Geometry;
        if (!IsInBounds(geometry, offsetBytes, lengthBytes) || lengthBytes == 0)
            await OutOfBounds(DriverOperation.Write, geometry, offsetBytes, lengthBytes).ConfigureAwait(false);
        if (!IsWholeBlocks(offsetBytes, lengthBytes))
        {
            var error = new BlockAlignmentException(Device.Name, lengthBytes, blockSizeBytes);
            await Refused(DriverOperation.Write, offsetBytes, lengthBytes, error).ConfigureAwait(false);
        }
        var range = new ByteRange(offsetBytes, offsetBytes + lengthBytes);
        await changes.EnterAsync(range, cancellationToken).ConfigureAwait(false);
        return new HeldRange(this, range);
    }

    internal ValueTask ReadHeldAsync(ByteRange part, Memory<byte> destination, CancellationToken cancellationToken)
    {
        Invariant.Require(IsWholeBlocks(part.Start, destination.Length));
        return Carry(DriverRequest.Read(BlockAt(part.Start), destination), timeProvider.GetTimestamp(), cancellationToken);
    }

    internal ValueTask WriteHeldAsync(
        ByteRange part,
        ReadOnlyMemory<byte> source,
        WriteOptions options,
        CancellationToken cancellationToken)
    {
        Invariant.Require(IsWholeBlocks(part.Start, source.Length));
        if (Device.IsReadOnly) return ReadOnly(DriverOperation.Write, part.Start, source.Length);
        var request = DriverRequest.Write(BlockAt(part.Start), source, options);
        return Carry(request, timeProvider.GetTimestamp(), cancellationToken);
    }

    internal void GiveBack(ByteRange held) => changes.Exit(held);
}
