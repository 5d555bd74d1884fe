using System.Security.Cryptography;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>A record of a stream: data, or where there are none zeros.</summary>
/// <param name="OffsetBytes">Where it belongs.</param>
/// <param name="LengthBytes">How long it is.</param>
/// <param name="Data">What belongs there; valid until the next record is read. Empty for zeros.</param>
readonly record struct SnapshotStreamRecord(long OffsetBytes, long LengthBytes, ReadOnlyMemory<byte> Data)
{
    public bool IsZeros => Data.IsEmpty;
}

/// <summary>
/// Reads the stream of a snapshot, and gives nothing of it that was not checked: each length before it is used, each record before it is
/// given, and, before it says that this was all, the counts and the digest.
/// </summary>
/// <param name="source">The stream.</param>
/// <param name="maxSizeBytes">Size of the largest volume that is taken.</param>
sealed class SnapshotStreamReader(Stream source, long maxSizeBytes) : IDisposable
{
    readonly IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    readonly byte[] head = new byte[SnapshotStreamFormat.HeadBytes];
    byte[] data = [];
    SnapshotStreamHeader? header;
    long position, records, dataBytes;

    /// <exception cref="SnapshotStreamException">It is no stream, or not as it was written, or of too large a volume.</exception>
    public async ValueTask<SnapshotStreamHeader> ReadHeaderAsync(CancellationToken cancellationToken)
    {
        Invariant.Require(header is null);
        var bytes = new byte[SnapshotStreamFormat.MaxHeaderBytes];
        var start = bytes.AsMemory(0, SnapshotStreamFormat.FixedHeaderBytes);
        var got = await source.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellationToken);
        if (got < start.Length)
        {
            SnapshotStreamFormat.RequireMagic(start.Span[..got]);
            throw got == 0
                ? SnapshotStreamFormat.Problem(SnapshotStreamProblem.CutOff, "it is empty")
                : CutOff($"after {got} bytes");
        }

        var length = SnapshotStreamFormat.LengthOfHeader(start.Span);
        await FillAsync(bytes.AsMemory(start.Length, length - start.Length), cancellationToken);
        digest.AppendData(bytes, 0, length);
        var read = SnapshotStreamFormat.ReadHeader(bytes.AsSpan(0, length));
        if (read.SizeBytes > maxSizeBytes)
        {
            throw SnapshotStreamFormat.Problem(
                SnapshotStreamProblem.TooLarge, $"a volume of {read.SizeBytes} bytes, and {maxSizeBytes} are the most that is taken");
        }

        return header = read;
    }

    /// <summary>The next record; null at the end, when all of it was as it was written.</summary>
    /// <exception cref="SnapshotStreamException">It ends too soon, or is not as it was written.</exception>
    public async ValueTask<SnapshotStreamRecord?> ReadRecordAsync(CancellationToken cancellationToken)
    {
        Invariant.Require(header is not null);
        await FillAsync(head, cancellationToken);
        digest.AppendData(head);
        var (kind, dataCrc, offset, length) = SnapshotStreamFormat.ReadHead(head);
        if (kind == SnapshotStreamFormat.End)
        {
            await ReadEndAsync(offset, length, cancellationToken);
            return null;
        }

        if (kind is not (SnapshotStreamFormat.Data or SnapshotStreamFormat.Zeros))
            throw SnapshotStreamFormat.Altered($"a record of kind {kind}");
        // In this order nothing overflows.
        if (offset < position || offset > header.SizeBytes || length <= 0 || length > header.SizeBytes - offset
            || offset % header.BlockSizeBytes != 0 || length % header.BlockSizeBytes != 0)
            throw SnapshotStreamFormat.Altered($"a record of {length} bytes at {offset}, after {position}");
        position = offset + length;
        records++;
        if (kind == SnapshotStreamFormat.Zeros) return new(offset, length, default);
        if (length > SnapshotStreamFormat.MaxDataBytes) throw SnapshotStreamFormat.Altered($"data of {length} bytes");
        if (data.Length < length) data = new byte[SnapshotStreamFormat.MaxDataBytes];
        var content = data.AsMemory(0, (int)length);
        await FillAsync(content, cancellationToken);
        if (Crc32C.Compute(content.Span) != dataCrc) throw SnapshotStreamFormat.Altered($"the data at {offset}");
        digest.AppendData(content.Span);
        dataBytes += length;
        return new(offset, length, content);
    }

    public void Dispose() => digest.Dispose();

    async ValueTask ReadEndAsync(long expectedBytes, long expectedRecords, CancellationToken cancellationToken)
    {
        if (expectedBytes != dataBytes || expectedRecords != records)
        {
            throw SnapshotStreamFormat.Altered(
                $"{records} records with {dataBytes} bytes of data, and {expectedRecords} with {expectedBytes} were written");
        }

        var written = new byte[SnapshotStreamFormat.DigestBytes];
        await FillAsync(written, cancellationToken);
        if (!digest.GetHashAndReset().AsSpan().SequenceEqual(written)) throw SnapshotStreamFormat.Altered("its digest");
        if (await source.ReadAsync(written, cancellationToken) > 0) throw SnapshotStreamFormat.Altered("it goes on behind its end");
    }

    async ValueTask FillAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        if (await source.ReadAtLeastAsync(target, target.Length, throwOnEndOfStream: false, cancellationToken) < target.Length)
            throw CutOff($"after {records} records");
    }

    static SnapshotStreamException CutOff(string where) =>
        SnapshotStreamFormat.Problem(SnapshotStreamProblem.CutOff, $"it was cut off {where}");
}
