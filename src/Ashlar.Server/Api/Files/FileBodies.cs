using Ashlar.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Ashlar.Server;

/// <summary>Bodies that are as long as they are, and come and go as slowly as they do.</summary>
static class FileBodies
{
    /// <summary>So long nothing may come of a body: the client has vanished.</summary>
    public static readonly TimeSpan IdleLimit = TimeSpan.FromMinutes(10);

    const long MaxDrainedBytes = 1L << 30;

    /// <summary>Lifts the limits that are meant for small bodies, and gives the body.</summary>
    public static Stream OpenRequest(HttpContext context, TimeProvider clock)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;
        return new PatientStream(context.Request.Body, IdleLimit, clock);
    }

    /// <summary>Whoever reads may make a pause as long as he likes.</summary>
    public static void OpenResponse(HttpContext context)
    {
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = null;
    }

    /// <summary>Does something with a body. Clients of HTTP/1.1 send all of it before they read why it was not taken.</summary>
    public static async Task<T> TakeAsync<T>(HttpContext context, TimeProvider clock, Func<Stream, Task<T>> take)
    {
        var body = OpenRequest(context, clock);
        try
        {
            return await take(body);
        }
        catch (AshlarException) when (!context.Response.HasStarted)
        {
            await DrainAsync(body, context.RequestAborted);
            throw;
        }
    }

    static async Task DrainAsync(Stream body, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 << 10];
        for (var left = MaxDrainedBytes; left > 0;)
        {
            var read = await body.ReadAsync(buffer, cancellationToken);
            if (read == 0) return;
            left -= read;
        }
    }

    /// <summary>A body of which something has to come from time to time.</summary>
    sealed class PatientStream(Stream inner, TimeSpan limit, TimeProvider clock) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = inner.ReadAsync(buffer, cancellationToken);
            if (read.IsCompleted) return await read;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var task = read.AsTask();
            if (await Task.WhenAny(task, Task.Delay(limit, clock, either.Token)) != task && !cancellationToken.IsCancellationRequested)
                throw new BadHttpRequestException("the request did not go on", StatusCodes.Status408RequestTimeout);
            await either.CancelAsync();
            return await task;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
