using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>The body of a request, decoded and verified as its signature says.</summary>
sealed class RequestBody : IAsyncDisposable
{
    const string DecodedLength = "x-amz-decoded-content-length";

    // Of a body that is held: what every request may have, and by how much more is taken of what all share.
    const int FreeBytes = 64 << 10, StepBytes = 256 << 10;

    RequestBody(Stream content, long? lengthBytes, Trailer? trailer) =>
        (Content, LengthBytes, Trailer) = (content, lengthBytes, trailer);

    /// <summary>The content. Whoever has read it to its end has what was signed.</summary>
    public Stream Content { get; }

    /// <summary>How long it has to be; null if that was not said.</summary>
    public long? LengthBytes { get; }

    /// <summary>What follows it, once it has been read to its end.</summary>
    public Trailer? Trailer { get; }

    /// <summary>Opens the body of a request. Only now a client that waits for it is told to go on.</summary>
    public static RequestBody Open(S3Request request)
    {
        var http = request.Http.Request;
        var payload = request.Payload;
        var source = new TimelyBody(http.Body, request);
        if (!payload.IsChunked)
        {
            if (request.Header("Content-Encoding") is { } encoding && encoding.Contains("aws-chunked", StringComparison.OrdinalIgnoreCase)
                && request.Header(DecodedLength) is not null)
            {
                throw S3Error.InvalidRequest.Because($"A body in chunks needs one of the STREAMING forms of {Payload.Header}.");
            }

            ReadOnlyStream plain = payload.Kind == PayloadKind.Hashed ? new HashedBody(source, payload.Hash) : source;
            return new(new ConfirmedBody(plain, request), http.ContentLength, null);
        }

        var length = ParseLength(request.Header(DecodedLength));
        // Without it, only the end of the connection would say that a signed body is whole; unsigned ones end in their checksum.
        if (length is null && payload.Kind != PayloadKind.ChunksWithTrailer)
            throw S3Error.MissingContentLength.Because($"The header {DecodedLength} is missing.");
        var trailer = payload.HasTrailer ? new Trailer(request.Header("x-amz-trailer")) : null;
        if (payload.Kind == PayloadKind.ChunksWithTrailer && !trailer!.Announced.Concat(request.Headers.Keys).Any(ChecksumNames.IsValue))
            throw S3Error.InvalidRequest.Because("Chunks that are not signed need a checksum, and none is announced in x-amz-trailer.");
        var chunks = new AwsChunkedBody(source, payload.Signatures, length, trailer, request.Limits?.Memory);
        return new(new ConfirmedBody(chunks, request), length, trailer);
    }

    /// <summary>All of a body that has to be short.</summary>
    /// <param name="request">Whose.</param>
    /// <param name="maxBytes">The limit.</param>
    /// <param name="describesObject">Whether headers say the checksum of an object that it describes, and not its own.</param>
    /// <exception cref="S3Exception">It is longer than the limit, or its checksums are wrong.</exception>
    public static async Task<byte[]> ReadAsync(S3Request request, int maxBytes, bool describesObject = false)
    {
        await using var body = Open(request);
        if (body.LengthBytes > maxBytes) throw TooLong(maxBytes);
        using var check = new ContentCheck(describesObject
            ? ContentExpectation.OfDescription(request.Headers, body.Trailer)
            : ContentExpectation.Of(request.Headers, body.Trailer));
        var content = new MemoryStream();
        var buffer = new byte[16 << 10];
        var (taken, free) = (0L, (long)FreeBytes);
        try
        {
            while (await body.Content.ReadAsync(buffer, request.Cancelled) is var read and > 0)
            {
                if (content.Length + read > maxBytes) throw TooLong(maxBytes);
                if (content.Length + read > free + taken && request.Limits is { } limits)
                {
                    limits.Memory.Take(StepBytes);
                    taken += StepBytes;
                }

                check.Append(buffer.AsSpan(0, read));
                content.Write(buffer, 0, read);
            }
        }
        finally
        {
            request.Limits?.Memory.Return(taken);
        }

        check.Finish();
        return content.ToArray();
    }

    public ValueTask DisposeAsync() => Content.DisposeAsync();

    static S3Exception TooLong(int maxBytes) => S3Error.EntityTooLarge.Because($"The body has more than {maxBytes} bytes.");

    static long? ParseLength(string? text)
    {
        if (text is null) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? length
            : throw S3Error.InvalidArgument.Because($"The header {DecodedLength} is not a length.");
    }

    /// <summary>Tells a body that ends too early, or comes too slowly, from what fails here.</summary>
    sealed class TimelyBody(Stream source, S3Request request) : ReadOnlyStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
        {
            // A rate that a client has to keep does not end a long body in a time that anybody would wait.
            request.RequireInTime();
            try
            {
                return await source.ReadAsync(destination, cancellationToken);
            }
            catch (BadHttpRequestException bad)
            {
                throw bad.StatusCode == StatusCodes.Status408RequestTimeout
                    ? BodyLimits.TooSlow(bad)
                    : new S3Exception(S3Error.IncompleteBody, S3Error.IncompleteBody.Message, bad);
            }
        }
    }

    /// <summary>Its end is only told to whoever still may send it.</summary>
    sealed class ConfirmedBody(ReadOnlyStream source, S3Request request) : ReadOnlyStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
        {
            var read = await source.ReadAsync(destination, cancellationToken);
            if (read == 0 && !destination.IsEmpty) await request.ConfirmAsync();
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) source.Dispose();
            base.Dispose(disposing);
        }
    }
}
