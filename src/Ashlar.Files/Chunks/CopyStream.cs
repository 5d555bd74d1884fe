using System.Threading.Channels;

namespace Ashlar.Files;

/// <summary>One copy of a block on its way to one node: pieces wait here, so that a slow node does not slow the others at once.</summary>
sealed class CopyStream
{
    readonly Channel<SharedBuffer> pieces;
    readonly TimeSpan stallLimit;
    readonly TimeProvider clock;
    readonly Task pump;

    public CopyStream(KnownNode node, UploadTicket ticket, ChunkOptions options, TimeProvider clock)
    {
        (Node, Ticket, stallLimit, this.clock) = (node, ticket, options.StallLimit, clock);
        pieces = Channel.CreateBounded<SharedBuffer>(
            new BoundedChannelOptions(options.PiecesBehind) { SingleReader = true, SingleWriter = true });
        pump = PumpAsync();
    }

    public KnownNode Node { get; }

    public UploadTicket Ticket { get; }

    /// <summary>Why it was given up; null while it was not.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Takes a piece, and a share of it. Waits for a node that is behind, but not for ever.</summary>
    public async ValueTask WriteAsync(SharedBuffer piece, CancellationToken cancellationToken)
    {
        if (Failure is not null) return;
        piece.Share();
        if (pieces.Writer.TryWrite(piece)) return;
        try
        {
            // The write itself, not a task that stands for it: after the limit it must not happen any more.
            using var limit = new CancellationTokenSource(stallLimit, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            await pieces.Writer.WriteAsync(piece, either.Token);
        }
        catch (OperationCanceledException)
        {
            piece.Release();
            cancellationToken.ThrowIfCancellationRequested();
            GiveUp(new StorageNodeException(Node.Id, NodeErrorKind.Busy, $"it took nothing for {stallLimit.TotalSeconds:0} s"));
        }
        catch (ChannelClosedException)
        {
            piece.Release(); // It has failed in the meantime.
        }
    }

    /// <summary>Waits until the node has all pieces.</summary>
    /// <exception cref="Exception">It was given up.</exception>
    public async Task FinishAsync()
    {
        pieces.Writer.TryComplete();
        await pump;
        if (Failure is not null) throw Failure;
    }

    /// <summary>Takes nothing more. What is at the node keeps its share until the node lets it go.</summary>
    public void GiveUp(Exception failure)
    {
        Failure ??= failure;
        pieces.Writer.TryComplete();
    }

    async Task PumpAsync()
    {
        var offset = 0;
        await foreach (var piece in pieces.Reader.ReadAllAsync())
        {
            try
            {
                if (Failure is null) await AppendAsync(piece, offset);
                offset += piece.LengthBytes;
                piece.Release();
            }
            catch (Exception failure)
            {
                GiveUp(failure);
                piece.ReleaseAfter(failure);
            }
        }
    }

    async Task AppendAsync(SharedBuffer piece, int offset)
    {
        Node.Begin();
        try
        {
            await BusyNode.InsistAsync(AskAsync, stallLimit, clock);
        }
        finally
        {
            Node.End();
        }

        async ValueTask<bool> AskAsync()
        {
            await Node.Node.AppendAsync(Ticket, offset, piece.Content, default);
            return true;
        }
    }
}
