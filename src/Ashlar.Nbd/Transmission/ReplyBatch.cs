using Ashlar.Nbd.Protocol;
using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Nbd.Transmission;

/// <summary>
/// Replies of one connection's thread, one behind the other in a pooled buffer, so that many leave in one call. Devices
/// read straight into it: room is reserved, filled, and becomes part of the batch when it is committed.
/// </summary>
sealed class ReplyBatch(Connection connection, BufferPool buffers) : IDisposable
{
    /// <summary>Replies are gathered up to this size.</summary>
    public const int CapacityBytes = 256 << 10;

    PooledBuffer? buffer;
    int used;

    /// <summary>Room behind the replies gathered so far; those are sent first when it would not fit.</summary>
    public Memory<byte> Reserve(int byteCount)
    {
        if (buffer is not null && buffer.Length - used < byteCount) Send();
        buffer ??= buffers.Rent(Math.Max(byteCount, CapacityBytes), connection.Closed);
        return buffer.Memory.Slice(used, byteCount);
    }

    /// <summary>Makes the first bytes of the room reserved last part of the batch.</summary>
    public void Commit(int byteCount) => used += byteCount;

    /// <summary>Adds a reply without payload.</summary>
    public void Add(SimpleReplyHeader header)
    {
        header.Write(Reserve(SimpleReplyHeader.SizeBytes).Span);
        Commit(SimpleReplyHeader.SizeBytes);
    }

    /// <summary>Sends all that was committed and gives the buffer back.</summary>
    public void Send()
    {
        if (buffer is null) return;
        if (used > 0) connection.Send(buffer.Span[..used]);
        Dispose();
    }

    /// <summary>
    /// Gives the buffer away together with the room reserved last, which a device is still filling. The replies before it
    /// are sent now.
    /// </summary>
    public PooledBuffer Detach(out int reservedAt)
    {
        Invariant.Require(buffer is not null);
        var detached = buffer;
        reservedAt = used;
        buffer = null;
        used = 0;
        try
        {
            if (reservedAt > 0) connection.Send(detached.Span[..reservedAt]);
        }
        catch (ConnectionException)
        {
            // The device still writes into the buffer, so it must reach its new owner. A failed send has cut the
            // connection: its thread learns of that at its next call.
        }
        return detached;
    }

    public void Dispose()
    {
        buffer?.Dispose();
        buffer = null;
        used = 0;
    }
}
