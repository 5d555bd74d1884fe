using Ashlar.Blocks;
using Ashlar.Nbd.Protocol;

namespace Ashlar.Nbd.Negotiation;

/// <summary>How haggling goes on after an option.</summary>
enum HagglingStep
{
    /// <summary>The next option.</summary>
    Continue,

    /// <summary>Send what was written, then close.</summary>
    Close,

    /// <summary>Send what was written, then serve requests.</summary>
    Transmission,

    /// <summary>Send what was written, then shake hands of TLS, and begin anew.</summary>
    Tls,
}

/// <summary>
/// Option haggling as a state machine: an option and its data in, answers and the next step out. It knows no socket.
/// </summary>
sealed class OptionHaggling(
    INbdExports exports, ClientIdentity client, ClientFlags clientFlags, OptionReplyWriter replies,
    HagglingSecurity security = HagglingSecurity.Clear)
{
    bool structuredReplies;
    string? contextExport; // Canonical name of the export for which base:allocation is selected.

    /// <summary>Set once the step is <see cref="HagglingStep.Transmission"/>; the caller disposes it.</summary>
    public NegotiatedSession? Session { get; private set; }

    /// <summary>Answers one option.</summary>
    public HagglingStep Answer(OptionCode option, ReadOnlySpan<byte> data)
    {
        if (security == HagglingSecurity.Required && option is not (OptionCode.StartTls or OptionCode.Abort))
        {
            if (option == OptionCode.ExportName) return HagglingStep.Close; // It has no error replies.
            replies.Error(option, OptionReplyCode.TlsRequired, "only under TLS");
            return HagglingStep.Continue;
        }
        switch (option)
        {
            case OptionCode.ExportName:
                return ExportName(data);
            case OptionCode.Abort:
                replies.Ack(option);
                return HagglingStep.Close;
            case OptionCode.List:
                List(data);
                break;
            case OptionCode.StartTls:
                return StartTls(data);
            case OptionCode.Info:
            case OptionCode.Go:
                return InfoOrGo(option, data);
            case OptionCode.StructuredReply:
                if (!HasNoData(option, data)) break;
                structuredReplies = true;
                replies.Ack(option);
                break;
            case OptionCode.ListMetaContext:
            case OptionCode.SetMetaContext:
                MetaContext(option, data);
                break;
            default:
                replies.Error(option, OptionReplyCode.Unsupported, "unknown option");
                break;
        }
        return HagglingStep.Continue;
    }

    /// <summary>Refuses an option unread, because its data are longer than any sensible request.</summary>
    public void RefuseTooBig(OptionCode option)
    {
        if (option == OptionCode.SetMetaContext) contextExport = null;
        replies.Error(option, OptionReplyCode.TooBig, "the option's data are too long");
    }

    /// <summary>Refuses an option because the server is about to stop.</summary>
    public void RefuseShutdown(OptionCode option) =>
        replies.Error(option, OptionReplyCode.Shutdown, "the server is shutting down");

    // The old way to choose an export has no way to say no but to hang up.
    HagglingStep ExportName(ReadOnlySpan<byte> data)
    {
        if (!OptionDataReader.TryDecode(data, out var name) || exports.Open(name, client) is not { } export)
            return HagglingStep.Close;
        replies.Export(SummaryOf(export.Info));
        if (!clientFlags.HasFlag(ClientFlags.NoZeroes)) replies.Zeros(NbdProtocol.ExportNamePaddingBytes);
        return Enter(export);
    }

    // Nothing negotiated so far is lost by a refusal.
    HagglingStep StartTls(ReadOnlySpan<byte> data)
    {
        if (!HasNoData(OptionCode.StartTls, data)) return HagglingStep.Continue;
        switch (security)
        {
            case HagglingSecurity.Clear:
                replies.Error(OptionCode.StartTls, OptionReplyCode.Policy, "TLS is not configured");
                return HagglingStep.Continue;
            case HagglingSecurity.Secured:
                replies.Error(OptionCode.StartTls, OptionReplyCode.Invalid, "TLS is spoken already");
                return HagglingStep.Continue;
            default:
                replies.Ack(OptionCode.StartTls);
                return HagglingStep.Tls;
        }
    }

    void List(ReadOnlySpan<byte> data)
    {
        if (!HasNoData(OptionCode.List, data)) return;
        foreach (var name in exports.List(client)) replies.Server(name);
        replies.Ack(OptionCode.List);
    }

    HagglingStep InfoOrGo(OptionCode option, ReadOnlySpan<byte> data)
    {
        if (!TryReadInfoRequest(data, out var name, out var wanted))
        {
            replies.Error(option, OptionReplyCode.Invalid, "malformed request for information");
            return HagglingStep.Continue;
        }
        // Only a client that goes on to transmission is attached: questions use nothing.
        var export = option == OptionCode.Go ? exports.Open(name, client) : null;
        if ((export?.Info ?? (option == OptionCode.Info ? exports.Find(name, client) : null)) is not { } info)
        {
            replies.Error(option, OptionReplyCode.Unknown, "no such export");
            return HagglingStep.Continue;
        }
        Describe(option, info, wanted);
        return export is null ? HagglingStep.Continue : Enter(export);
    }

    void Describe(OptionCode option, NbdExportInfo export, HashSet<InfoCode> wanted)
    {
        replies.Info(option, SummaryOf(export));
        if (wanted.Contains(InfoCode.BlockSize)) replies.Info(option, BlockSizes.Offered);
        if (wanted.Contains(InfoCode.Name)) replies.Info(option, InfoCode.Name, export.Name);
        if (wanted.Contains(InfoCode.Description) && export.Description.Length > 0)
            replies.Info(option, InfoCode.Description, export.Description);
        replies.Ack(option);
    }

    static bool TryReadInfoRequest(ReadOnlySpan<byte> data, out string name, out HashSet<InfoCode> wanted)
    {
        wanted = [];
        var reader = new OptionDataReader(data);
        if (!reader.TryReadString(out name) || !reader.TryReadUInt16(out var count)) return false;
        for (var i = 0; i < count; i++)
        {
            if (!reader.TryReadUInt16(out var code)) return false;
            wanted.Add((InfoCode)code);
        }
        return reader.AtEnd;
    }

    void MetaContext(OptionCode option, ReadOnlySpan<byte> data)
    {
        var isSelection = option == OptionCode.SetMetaContext;
        if (isSelection) contextExport = null; // Even a request that fails ends the selection before it.
        if (!structuredReplies)
        {
            replies.Error(option, OptionReplyCode.Invalid, "structured replies must be negotiated first");
            return;
        }
        if (!TryReadContextQueries(data, isSelection, out var name, out var matched))
        {
            replies.Error(option, OptionReplyCode.Invalid, "malformed query of metadata contexts");
            return;
        }
        if (exports.Find(name, client) is not { } export)
        {
            replies.Error(option, OptionReplyCode.Unknown, "no such export");
            return;
        }
        if (matched)
        {
            replies.MetaContext(option, isSelection ? NegotiatedSession.BaseAllocationId : 0, NbdProtocol.BaseAllocation);
            if (isSelection) contextExport = export.Name;
        }
        replies.Ack(option);
    }

    // Queries are "namespace:leaf". No query at all lists everything but selects nothing; "base:" is a wildcard of lists;
    // other namespaces are not ours and match nothing.
    static bool TryReadContextQueries(ReadOnlySpan<byte> data, bool isSelection, out string name, out bool matched)
    {
        matched = false;
        var reader = new OptionDataReader(data);
        if (!reader.TryReadString(out name) || !reader.TryReadUInt32(out var count)) return false;
        matched = count == 0 && !isSelection;
        for (var i = 0u; i < count; i++)
        {
            if (!reader.TryReadString(out var query) || !query.Contains(':')) return false;
            matched |= query == NbdProtocol.BaseAllocation || (!isSelection && query == "base:");
        }
        return reader.AtEnd;
    }

    bool HasNoData(OptionCode option, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return true;
        replies.Error(option, OptionReplyCode.Invalid, "the option has no data");
        return false;
    }

    HagglingStep Enter(NbdExport export)
    {
        Session = new(export, structuredReplies, contextExport == export.Info.Name);
        return HagglingStep.Transmission;
    }

    TransmissionFlags SummaryFlags(bool isReadOnly)
    {
        var flags = TransmissionFlags.HasFlags | TransmissionFlags.SendFlush | TransmissionFlags.SendFua
            | TransmissionFlags.CanMultiConn | TransmissionFlags.SendCache;
        if (structuredReplies) flags |= TransmissionFlags.SendDontFragment;
        return isReadOnly
            ? flags | TransmissionFlags.ReadOnly
            : flags | TransmissionFlags.SendTrim | TransmissionFlags.SendWriteZeroes | TransmissionFlags.SendFastZero;
    }

    ExportSummary SummaryOf(NbdExportInfo export) => new((ulong)export.SizeBytes, SummaryFlags(export.IsReadOnly));
}
