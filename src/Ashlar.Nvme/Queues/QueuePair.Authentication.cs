using Ashlar.Storage;

namespace Ashlar.Nvme;

// Authentication of a queue: until it has succeeded the queue takes nothing else, and tells nothing. A host may prove itself anew later.
sealed partial class QueuePair
{
    /// <summary>Bit of what Connect answers: the host has to authenticate (ATR, NVM Express Base 2.0, 6.3).</summary>
    const uint AuthenticationRequired = 1 << 17;

    // Dword 10 of both commands: the protocol E9h, which is NVM Express, and its two fields, which are 1.
    const uint AuthenticationProtocol = 0xE901_0100;

    DhChapExchange? exchange;
    bool mustAuthenticate;

    NvmeStatus CheckAuthentication(in SubmissionEntry entry, out int hostBytes)
    {
        hostBytes = 0;
        if (!mustAuthenticate && exchange is not { IsOver: false } && !MayProveAnew())
            return NvmeStatus.CommandSequenceError | NvmeStatus.DoNotRetry;
        // Dword 11 has the length of what is sent, or of the room for what is received.
        if (entry.Dword10 != AuthenticationProtocol || entry.Dword11 is 0 or > AuthenticationMessage.MaxBytes)
            return NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
        if (entry.FabricsType == FabricsType.AuthenticationSend)
        {
            hostBytes = (int)entry.Dword11;
            return NvmeStatus.Success;
        }
        if (exchange is null || exchange.Outgoing.IsEmpty) return NvmeStatus.CommandSequenceError | NvmeStatus.DoNotRetry;
        if (entry.Data.Kind != SglDescriptor.Transport) return NvmeStatus.SglDescriptorTypeInvalid | NvmeStatus.DoNotRetry;
        if (entry.Data.LengthBytes != entry.Dword11) return NvmeStatus.DataSglLengthInvalid | NvmeStatus.DoNotRetry;
        return exchange.Outgoing.Length <= entry.Dword11 ? NvmeStatus.Success : NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
    }

    void TakeAuthentication(QueuedCommand command)
    {
        if (exchange is null or { HasSucceeded: true }) exchange = BeginExchange();
        exchange.Take(command.Data.Span);
        FollowExchange();
        Complete(command, NvmeStatus.Success);
    }

    void AnswerAuthentication(QueuedCommand command)
    {
        var message = new byte[command.Entry.Dword11];
        exchange!.Outgoing.Span.CopyTo(message);
        exchange.Sent();
        FollowExchange();
        CompleteWithData(command, message, result: 0);
    }

    DhChapExchange BeginExchange() =>
        new(Accounts, Admit, controller!.Host.Name, controller.Name, node.NextChallengeNumber(), node.Entropy, Reckon);

    byte[]? Reckon(Func<byte[]?> power)
    {
        batch.Send(); // Earlier answers need not wait for it.
        connection.WaitFor(node.Powers);
        try
        {
            return power();
        }
        finally
        {
            node.Powers.Release();
        }
    }

    // Order: the queue takes other commands only when the host is believed, and believes us. One that has failed ends with its answer.
    void FollowExchange()
    {
        if (exchange!.HasSucceeded)
        {
            if (!mustAuthenticate) return;
            Invariant.Require(exchange.Proved is not null && controller!.Subsystem is not null);
            mustAuthenticate = false;
            connection.HandshakeCompleted();
        }
        else if (exchange.IsOver)
        {
            isEnding = true;
            node.Report(
                $"nvme: connection {connection.Id} from {connection.RemoteEndPoint}: {controller!.Host.Name} has not authenticated for "
                + $"{controller.Name}: {exchange.Failure}");
        }
    }

    // As they are now: secrets may have become others since the association began. What it was opened by stays what it is proved by.
    IReadOnlyList<DhChapAccount> Accounts() =>
        (controller!.ProvedAs is null ? node.Demand(controller.Name, controller.Host) : controller.DemandAgain()) ?? [];

    // Where nothing is asked for any more there is nothing to prove it by: the host is told so, and goes on.
    bool MayProveAnew() => controller?.DemandAgain() is not null;

    // The first proof of an association opens the volume. That of an I/O queue makes it a part: what is not proved takes no number from
    // others.
    bool Admit(DhChapAccount account)
    {
        if (controller!.ProvedAs is not null)
        {
            if (isPart) return true;
            if (controller.TryJoin(queueId, this) != NvmeStatus.Success) return false;
            isPart = true;
            Watch(controller.Subsystem!);
            return true;
        }
        var proved = controller.Host with { User = account.Name, Account = account.Id };
        if (node.Open(controller.Name, proved) is not { } subsystem) return false;
        controller.Admit(subsystem, account.Id);
        Watch(subsystem);
        return true;
    }
}
