using System.Globalization;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.S3;

/// <summary>
/// A body in the encoding aws-chunked: chunks with their length in front, an empty one at the end, and a trailer. What is signed is
/// verified as a whole before the first byte of it is handed on.
/// </summary>
/// <remarks>
/// <code>
/// SIZE[;chunk-signature=SIGNATURE] CR LF  CONTENT CR LF  ...  0[;chunk-signature=SIGNATURE] CR LF
/// [NAME:VALUE (CR) LF ...  [x-amz-trailer-signature:SIGNATURE CR LF]]  [CR LF]
/// </code>
/// </remarks>
/// <param name="source">The body as it comes.</param>
/// <param name="signatures">Verifies it, if it is signed.</param>
/// <param name="decodedLength">How long all chunks are together, if that was said.</param>
/// <param name="trailer">Takes what follows the chunks; null where nothing may.</param>
/// <param name="memory">Has what long chunks take; null for tests that have enough.</param>
sealed class AwsChunkedBody(
    Stream source, ChunkSignatures? signatures, long? decodedLength, Trailer? trailer, MemoryBudget? memory = null) : ReadOnlyStream
{
    /// <summary>Longest chunk that is signed: it is held in memory until it is verified.</summary>
    public const int MaxSignedChunkBytes = 4 << 20;

    /// <summary>Longest line.</summary>
    public const int MaxLineBytes = 4096;

    const int BufferBytes = 32 << 10, FirstChunkBytes = 128 << 10;

    // Each chunk costs a line, and a signature: so many may be short, and the others have a KiB on the average. S3 itself wants 8 KiB.
    const int MaxShortChunks = 1024, LeastChunkBytes = 1024;

    // Behind the last chunk, in front of the signature of a trailer, and behind that.
    const int MaxEmptyLines = 3;

    const string SignatureField = "chunk-signature=";

    readonly byte[] buffer = new byte[BufferBytes];
    int start, end;

    // Of a chunk that is signed: what is verified and not handed on yet. It grows with what comes, not with what is announced.
    byte[] chunk = [];
    int chunkStart, chunkEnd;

    // Of one that is not: what is still to come.
    long left;
    long total;
    long chunks;
    long borrowed;
    int emptyLines;
    bool hasEnded;

    public override async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        if (destination.IsEmpty) return 0;
        while (!hasEnded)
        {
            if (chunkStart < chunkEnd)
            {
                var taken = Math.Min(destination.Length, chunkEnd - chunkStart);
                chunk.AsMemory(chunkStart, taken).CopyTo(destination);
                chunkStart += taken;
                return taken;
            }

            if (left > 0)
            {
                var read = await TakeAsync(destination[..(int)Math.Min(destination.Length, left)], cancellationToken);
                left -= read;
                Invariant.Require(left >= 0);
                if (left == 0) await RequireLineEndAsync(cancellationToken);
                return read;
            }

            await BeginChunkAsync(cancellationToken);
        }

        return 0;
    }

    async ValueTask BeginChunkAsync(CancellationToken cancellationToken)
    {
        var line = await ReadLineAsync(mustEndInBoth: true, cancellationToken) ?? throw S3Error.IncompleteBody.Exception();
        var (size, signature) = ParseHead(line);
        if (size == 0)
        {
            if (signatures is not null && !signatures.TryNext([], signature)) throw S3Error.SignatureDoesNotMatch.Exception();
            await EndAsync(cancellationToken);
            return;
        }

        if (size > (decodedLength ?? long.MaxValue) - total)
            throw S3Error.IncompleteBody.Because("The chunks are longer than x-amz-decoded-content-length.");
        if (chunks++ > MaxShortChunks + (total / LeastChunkBytes))
            throw S3Error.InvalidRequest.Because($"The chunks are too short: they need {LeastChunkBytes} bytes on the average.");
        total += size;
        if (signatures is null)
        {
            left = size;
            return;
        }

        if (size > MaxSignedChunkBytes)
            throw S3Error.EntityTooLarge.Because($"A chunk that is signed has at most {MaxSignedChunkBytes} bytes.");
        await FillChunkAsync((int)size, cancellationToken);
        if (!signatures.TryNext(chunk.AsSpan(0, (int)size), signature)) throw S3Error.SignatureDoesNotMatch.Exception();
        (chunkStart, chunkEnd) = (0, (int)size);
    }

    async ValueTask FillChunkAsync(int size, CancellationToken cancellationToken)
    {
        for (var filled = 0; filled < size;)
        {
            if (filled == chunk.Length) Grow(Math.Min(size, Math.Max(FirstChunkBytes, 2 * chunk.Length)));
            filled += await TakeAsync(chunk.AsMemory(filled, Math.Min(chunk.Length, size) - filled), cancellationToken);
        }

        await RequireLineEndAsync(cancellationToken);
    }

    void Grow(int size)
    {
        var more = Math.Max(0, size - FirstChunkBytes) - borrowed;
        if (more > 0)
        {
            memory?.Take(more);
            borrowed += more;
        }

        Array.Resize(ref chunk, size);
    }

    async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        Invariant.Require(left == 0 && chunkStart == chunkEnd); // All that was announced has been handed on.
        if (decodedLength is { } expected && total != expected) throw S3Error.IncompleteBody.Exception();
        if (trailer is not null) await ReadTrailerAsync(cancellationToken);
        // The last line end may be missing; nothing else may follow.
        while (await ReadLineAsync(mustEndInBoth: false, cancellationToken) is { } line)
        {
            if (line.Length > 0 || ++emptyLines > MaxEmptyLines) throw S3Error.InvalidRequest.Because("Something follows the last chunk.");
        }

        hasEnded = true;
    }

    async ValueTask ReadTrailerAsync(CancellationToken cancellationToken)
    {
        string? signature = null;
        while (await ReadLineAsync(mustEndInBoth: false, cancellationToken) is { } line)
        {
            if (line.Length == 0)
            {
                if (++emptyLines > MaxEmptyLines) throw S3Error.MalformedTrailer.Exception();
                // Some put an empty line in front of the signature.
                if (signatures is null || signature is not null) break;
                continue;
            }

            if (signature is not null) throw S3Error.MalformedTrailer.Exception();
            var (name, value) = ParseField(line);
            if (signatures is not null && name == Trailer.SignatureName) signature = value;
            else trailer!.Add(name, value);
        }

        if (signatures is not null && !signatures.TryTrailer(trailer!.Canonical, signature ?? ""))
            throw S3Error.SignatureDoesNotMatch.Exception();
        trailer!.RequireComplete();
    }

    static (string Name, string Value) ParseField(string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0) throw S3Error.MalformedTrailer.Exception();
        return (line[..colon].Trim().ToLowerInvariant(), line[(colon + 1)..].Trim());
    }

    (long Size, string Signature) ParseHead(string line)
    {
        var semicolon = line.IndexOf(';', StringComparison.Ordinal);
        var digits = semicolon < 0 ? line : line[..semicolon];
        if (!long.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size) || size < 0
            || digits.Length > 16)
            throw S3Error.InvalidRequest.Because("The length of a chunk is not valid.");
        var extension = semicolon < 0 ? "" : line[(semicolon + 1)..];
        if (signatures is null)
        {
            return extension.Length == 0 ? (size, "") : throw S3Error.InvalidRequest.Because("A chunk has an extension that is not known.");
        }

        if (!extension.StartsWith(SignatureField, StringComparison.Ordinal))
            throw S3Error.SignatureDoesNotMatch.Because("A chunk is not signed.");
        return (size, extension[SignatureField.Length..]);
    }

    async ValueTask RequireLineEndAsync(CancellationToken cancellationToken)
    {
        var line = await ReadLineAsync(mustEndInBoth: true, cancellationToken) ?? throw S3Error.IncompleteBody.Exception();
        if (line.Length > 0) throw S3Error.InvalidRequest.Because("A chunk is longer than it says.");
    }

    // Null at the end of the body.
    async ValueTask<string?> ReadLineAsync(bool mustEndInBoth, CancellationToken cancellationToken)
    {
        var searched = 0;
        while (true)
        {
            var found = buffer.AsSpan(start + searched, end - start - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                var line = buffer.AsSpan(start, searched + found);
                start += line.Length + 1;
                if (line.Length > 0 && line[^1] == (byte)'\r') line = line[..^1];
                else if (mustEndInBoth) throw S3Error.InvalidRequest.Because("A line of a chunk does not end in CR LF.");
                return Encoding.Latin1.GetString(line);
            }

            searched = end - start;
            if (searched > MaxLineBytes) throw S3Error.InvalidRequest.Because("A line of a chunk is too long.");
            if (await FillAsync(cancellationToken)) continue;
            if (searched == 0) return null;
            // The trailer of some ends without a line end.
            if (mustEndInBoth) throw S3Error.IncompleteBody.Exception();
            var rest = Encoding.Latin1.GetString(buffer.AsSpan(start, searched));
            start = end;
            return rest;
        }
    }

    async ValueTask<int> TakeAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (start == end)
        {
            // Past the buffer, if more is wanted than it holds.
            if (destination.Length >= BufferBytes)
            {
                var read = await source.ReadAsync(destination, cancellationToken);
                return read > 0 ? read : throw S3Error.IncompleteBody.Exception();
            }

            if (!await FillAsync(cancellationToken)) throw S3Error.IncompleteBody.Exception();
        }

        var taken = Math.Min(destination.Length, end - start);
        buffer.AsMemory(start, taken).CopyTo(destination);
        start += taken;
        return taken;
    }

    protected override void Dispose(bool disposing)
    {
        memory?.Return(borrowed);
        borrowed = 0;
        base.Dispose(disposing);
    }

    async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }

        var read = await source.ReadAsync(buffer.AsMemory(end), cancellationToken);
        end += read;
        return read > 0;
    }
}
