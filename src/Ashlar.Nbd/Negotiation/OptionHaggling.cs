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
    HeaderStyle style;
    string? contextExport; // Canonical name of the export for which contexts are selected.
    IReadOnlyList<SelectedContext> contexts = [];

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
                if (HasNoData(option, data)) StructuredReply();
                break;
            case OptionCode.ExtendedHeaders:
                if (!HasNoData(option, data)) break;
                style = HeaderStyle.Extended;
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
        if (option == OptionCode.SetMetaContext) Deselect();
        replies.Error(option, OptionReplyCode.TooBig, "the option's data are too long");
    }

    /// <summary>Refuses an option because the server is about to stop.</summary>
    public void RefuseShutdown(OptionCode option) =>
        replies.Error(option, OptionReplyCode.Shutdown, "the server is shutting down");

    void StructuredReply()
    {
        if (style == HeaderStyle.Extended)
        {
            replies.Error(OptionCode.StructuredReply, OptionReplyCode.ExtendedHeadersRequired, "extended headers are negotiated already");
            return;
        }
        style = HeaderStyle.Structured;
        replies.Ack(OptionCode.StructuredReply);
    }

    // The old way to choose an export has no way to say no but to hang up. Whoever has extended headers may not take it.
    HagglingStep ExportName(ReadOnlySpan<byte> data)
    {
        if (style == HeaderStyle.Extended) return HagglingStep.Close;
        if (!OptionDataReader.TryDecode(data, out var name) || exports.Open(name, client) is not { } export) return HagglingStep.Close;
        if (!TryEnter(export)) return HagglingStep.Close;
        replies.Export(SummaryOf(export.Info, OptionCode.ExportName));
        if (!clientFlags.HasFlag(ClientFlags.NoZeroes)) replies.Zeros(NbdProtocol.ExportNamePaddingBytes);
        return HagglingStep.Transmission;
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
        if (export is not null && !TryEnter(export))
        {
            replies.Error(option, OptionReplyCode.Unknown, "a snapshot of a selected context is gone");
            return HagglingStep.Continue;
        }
        Describe(option, info, wanted);
        return export is null ? HagglingStep.Continue : HagglingStep.Transmission;
    }

    void Describe(OptionCode option, NbdExportInfo export, HashSet<InfoCode> wanted)
    {
        replies.Info(option, SummaryOf(export, option));
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
        if (isSelection) Deselect(); // Even a request that fails ends the selection before it.
        if (style == HeaderStyle.Simple)
        {
            replies.Error(option, OptionReplyCode.Invalid, "structured replies or extended headers must be negotiated first");
            return;
        }
        if (!TryReadContextQueries(data, out var name, out var queries))
        {
            replies.Error(option, OptionReplyCode.Invalid, "malformed query of metadata contexts");
            return;
        }
        if (exports.Find(name, client) is not { } export)
        {
            replies.Error(option, OptionReplyCode.Unknown, "no such export");
            return;
        }
        var origins = MetaContexts.NeedOrigins(queries, isSelection) ? exports.ListOrigins(export.Name, client) : [];
        var matched = MetaContexts.Match(queries, isSelection, origins);
        if (isSelection && matched.Count > MetaContexts.MaxSelected)
        {
            replies.Error(option, OptionReplyCode.TooBig, $"more than {MetaContexts.MaxSelected} metadata contexts");
            return;
        }
        var found = MetaContexts.Select(matched);
        if (isSelection) (contextExport, contexts) = (export.Name, found);
        foreach (var context in found) replies.MetaContext(option, isSelection ? context.Id : 0, context.Name);
        replies.Ack(option);
    }

    void Deselect() => (contextExport, contexts) = (null, []);

    static bool TryReadContextQueries(ReadOnlySpan<byte> data, out string name, out List<string> queries)
    {
        queries = [];
        var reader = new OptionDataReader(data);
        if (!reader.TryReadString(out name) || !reader.TryReadUInt32(out var count)) return false;
        for (var i = 0u; i < count; i++)
        {
            if (!reader.TryReadString(out var query) || !query.Contains(':')) return false;
            queries.Add(query);
        }
        return reader.AtEnd;
    }

    bool HasNoData(OptionCode option, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return true;
        replies.Error(option, OptionReplyCode.Invalid, "the option has no data");
        return false;
    }

    /// <summary>Takes the export; one for which a context was selected that is gone by now is given back.</summary>
    bool TryEnter(NbdExport export)
    {
        var selected = ContextsOf(export.Info);
        var opened = new List<NegotiatedContext>();
        try
        {
            foreach (var context in selected)
            {
                var changes = context.Origin is { } origin ? export.OpenChanges?.Invoke(origin) : null;
                if (context.Origin is null || changes is not null) opened.Add(new(context.Id, changes));
            }
        }
        catch
        {
            export.Dispose(); // Nobody else has it yet.
            throw;
        }
        if (opened.Count < selected.Count)
        {
            export.Dispose();
            return false;
        }
        Session = new(export, style, opened);
        return true;
    }

    IReadOnlyList<SelectedContext> ContextsOf(NbdExportInfo export) => contextExport == export.Name ? contexts : [];

    ExportSummary SummaryOf(NbdExportInfo export, OptionCode option)
    {
        var flags = TransmissionFlags.HasFlags | TransmissionFlags.SendFlush | TransmissionFlags.SendFua
            | TransmissionFlags.CanMultiConn | TransmissionFlags.SendCache;
        if (style != HeaderStyle.Simple) flags |= TransmissionFlags.SendDontFragment;
        // Whoever asks for information may still select contexts; whoever goes on without any cannot ask for their status.
        if (style == HeaderStyle.Extended && (option == OptionCode.Info || ContextsOf(export).Count > 0))
            flags |= TransmissionFlags.BlockStatusPayload;
        flags |= export.IsReadOnly
            ? TransmissionFlags.ReadOnly
            : TransmissionFlags.SendTrim | TransmissionFlags.SendWriteZeroes | TransmissionFlags.SendFastZero;
        return new((ulong)export.SizeBytes, flags);
    }
}
