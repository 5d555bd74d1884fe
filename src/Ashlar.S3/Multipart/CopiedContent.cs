using System.IO.Pipelines;
using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>A range of a file as a stream that is read, in constant memory.</summary>
sealed class CopiedContent : ReadOnlyStream
{
    readonly Pipe pipe = new(new(pauseWriterThreshold: 1 << 20, resumeWriterThreshold: 1 << 19, useSynchronizationContext: false));
    readonly CancellationTokenSource end;
    readonly Stream content;
    readonly Task copying;

    public CopiedContent(FileReader source, CancellationToken cancellationToken)
    {
        end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        content = pipe.Reader.AsStream();
        copying = CopyAsync(source);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default) =>
        content.ReadAsync(destination, cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await pipe.Reader.CompleteAsync();
        await copying;
        end.Dispose();
        await base.DisposeAsync();
    }

    // What fails here is thrown where it is read.
    async Task CopyAsync(FileReader source)
    {
        Exception? failure = null;
        try
        {
            await using var destination = pipe.Writer.AsStream(leaveOpen: true);
            await source.CopyToAsync(destination, end.Token);
        }
        catch (Exception e)
        {
            failure = e;
        }

        await pipe.Writer.CompleteAsync(failure);
    }
}
