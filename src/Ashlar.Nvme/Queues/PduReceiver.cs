using System.Buffers.Binary;
using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Nvme;

/// <summary>Receives PDUs of one connection: header, then data, with their digests. The connection's own thread only.</summary>
sealed class PduReceiver(Connection connection)
{
    readonly byte[] bytes = new byte[PduHeader.MaxHeaderBytes + PduHeader.DigestBytes];
    int receivedBytes;
    uint dataChecksum;
    int dataLeft;
    bool hasDataDigest;

    /// <summary>What was agreed on; nothing before that.</summary>
    public Digests Digests { get; set; }

    /// <summary>The header of the last PDU, as far as it was received, without its digest.</summary>
    public ReadOnlySpan<byte> Received => bytes.AsSpan(0, receivedBytes);

    /// <summary>Receives header and padding of a PDU that has begun to come.</summary>
    /// <exception cref="FatalErrorException">It is none that a host may send, or is damaged.</exception>
    public PduFrame ReceiveHeader()
    {
        receivedBytes = 0;
        connection.Receive(bytes.AsSpan(0, PduHeader.SizeBytes));
        receivedBytes = PduHeader.SizeBytes;
        if (!PduFrame.TryRead(bytes, Digests, out var frame, out var error)) throw new FatalErrorException(error);

        int headerBytes = frame.Header.HeaderBytes;
        connection.Receive(bytes.AsSpan(PduHeader.SizeBytes, headerBytes - PduHeader.SizeBytes));
        receivedBytes = headerBytes;
        if (frame.HasHeaderDigest)
        {
            var digest = bytes.AsSpan(headerBytes, PduHeader.DigestBytes);
            connection.Receive(digest);
            if (!Digests.Matches(digest, Crc32C.Compute(bytes.AsSpan(0, headerBytes))))
            {
                throw new FatalErrorException(new(
                    FatalStatus.HeaderDigestError, BinaryPrimitives.ReadUInt32LittleEndian(digest), "a header does not match its digest"));
            }
        }

        if (frame.PaddingBytes > 0) connection.Skip(frame.PaddingBytes);
        dataLeft = frame.DataBytes;
        dataChecksum = 0;
        hasDataDigest = frame.HasDataDigest;
        return frame;
    }

    /// <summary>Receives the next data of the PDU.</summary>
    public void ReceiveData(Span<byte> target)
    {
        Invariant.Require(target.Length <= dataLeft);
        connection.Receive(target);
        dataLeft -= target.Length;
        if (hasDataDigest) dataChecksum = Crc32C.Append(dataChecksum, target);
    }

    /// <summary>Receives the digest of the data.</summary>
    /// <returns>Whether the data are as they were sent.</returns>
    public bool EndData()
    {
        Invariant.Require(dataLeft == 0);
        if (!hasDataDigest) return true;
        Span<byte> digest = stackalloc byte[PduHeader.DigestBytes];
        connection.Receive(digest);
        return Digests.Matches(digest, dataChecksum);
    }

    /// <summary>Takes data off that nobody wants, and their digest.</summary>
    public void SkipData()
    {
        connection.Skip(dataLeft + (hasDataDigest ? PduHeader.DigestBytes : 0));
        dataLeft = 0;
        hasDataDigest = false;
    }
}
