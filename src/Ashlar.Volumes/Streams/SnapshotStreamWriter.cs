using System.Security.Cryptography;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Writes the stream of a snapshot. What it holds of it is one record; the target says how fast it goes.</summary>
sealed class SnapshotStreamWriter(Stream target) : IDisposable
{
    readonly IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    readonly byte[] head = new byte[SnapshotStreamFormat.HeadBytes];
    long records, dataBytes;

    public ValueTask WriteHeaderAsync(SnapshotStreamHeader header, CancellationToken cancellationToken) =>
        WriteAsync(SnapshotStreamFormat.ToBytes(header), cancellationToken);

    public async ValueTask WriteDataAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        SnapshotStreamFormat.WriteHead(head, SnapshotStreamFormat.Data, Crc32C.Compute(data.Span), offset, data.Length);
        await WriteAsync(head, cancellationToken);
        await WriteAsync(data, cancellationToken);
        records++;
        dataBytes += data.Length;
    }

    public async ValueTask WriteZerosAsync(long offset, long length, CancellationToken cancellationToken)
    {
        SnapshotStreamFormat.WriteHead(head, SnapshotStreamFormat.Zeros, 0, offset, length);
        await WriteAsync(head, cancellationToken);
        records++;
    }

    public async ValueTask WriteEndAsync(CancellationToken cancellationToken)
    {
        SnapshotStreamFormat.WriteHead(head, SnapshotStreamFormat.End, 0, dataBytes, records);
        await WriteAsync(head, cancellationToken);
        await target.WriteAsync(digest.GetHashAndReset(), cancellationToken);
        await target.FlushAsync(cancellationToken);
    }

    public void Dispose() => digest.Dispose();

    ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        digest.AppendData(bytes.Span);
        return target.WriteAsync(bytes, cancellationToken);
    }
}
