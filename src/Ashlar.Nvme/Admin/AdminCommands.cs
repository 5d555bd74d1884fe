using Ashlar.Storage;

namespace Ashlar.Nvme;

/// <summary>What an admin command answers: data where it has any, else a status and a result.</summary>
readonly record struct AdminReply(NvmeStatus Status, ulong Result = 0, ReadOnlyMemory<byte> Data = default)
{
    public static AdminReply Invalid { get; } = new(NvmeStatus.InvalidField | NvmeStatus.DoNotRetry);
}

/// <summary>Admin commands of one controller, of a subsystem or of discovery.</summary>
sealed class AdminCommands(Controller controller, NvmeNode node)
{
    readonly Features features = new(controller);
    readonly LogPages logs = new(controller, node);

    /// <summary>Whether a command is known. None of them takes data of the host.</summary>
    public NvmeStatus Check(in SubmissionEntry entry)
    {
        if (entry.Fused != FusedPart.None) return NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
        return (AdminOpcode)entry.Opcode switch
        {
            AdminOpcode.Identify or AdminOpcode.GetLogPage or AdminOpcode.KeepAlive => NvmeStatus.Success,
            AdminOpcode.GetFeatures or AdminOpcode.SetFeatures or AdminOpcode.AsynchronousEventRequest => NvmeStatus.Success,
            AdminOpcode.Abort when !controller.IsDiscovery => NvmeStatus.Success,
            _ => NvmeStatus.InvalidOpcode | NvmeStatus.DoNotRetry,
        };
    }

    public AdminReply Run(in SubmissionEntry entry) => (AdminOpcode)entry.Opcode switch
    {
        AdminOpcode.Identify => Fit(Identification.Answer(controller, entry), entry, Identification.SizeBytes),
        AdminOpcode.GetLogPage => logs.Answer(entry),
        AdminOpcode.GetFeatures => features.Get(entry),
        AdminOpcode.SetFeatures => features.Set(entry),
        AdminOpcode.Abort => Abort(entry),
        _ => new(NvmeStatus.Success), // Keep Alive: that it came is all.
    };

    // Bit 0 of the result says that the command was not aborted. It is 0 only where the command never has an effect.
    AdminReply Abort(in SubmissionEntry entry)
    {
        var isAborted = controller.TryAbort((ushort)entry.Dword10, (ushort)(entry.Dword10 >> 16));
        return new(NvmeStatus.Success, isAborted ? 0u : 1u);
    }

    /// <summary>An answer for the buffer of the host, which must have the length that the command has.</summary>
    internal static AdminReply Fit(AdminReply reply, in SubmissionEntry entry, int lengthBytes)
    {
        if (reply.Data.IsEmpty) return reply;
        Invariant.Require(reply.Data.Length == lengthBytes);
        var status = CheckBuffer(entry, lengthBytes);
        return status == NvmeStatus.Success ? reply : new(status);
    }

    /// <summary>Whether the buffer of the host is one for an answer of a length.</summary>
    internal static NvmeStatus CheckBuffer(in SubmissionEntry entry, int lengthBytes) =>
        entry.Data.Kind != SglDescriptor.Transport ? NvmeStatus.SglDescriptorTypeInvalid | NvmeStatus.DoNotRetry
        : entry.Data.LengthBytes != lengthBytes ? NvmeStatus.DataSglLengthInvalid | NvmeStatus.DoNotRetry
        : NvmeStatus.Success;
}
