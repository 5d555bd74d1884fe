using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Ashlar.Nbd.Protocol;

namespace Ashlar.Nbd.Negotiation;

/// <summary>Gathers the answers to one option.</summary>
sealed class OptionReplyWriter
{
    readonly ArrayBufferWriter<byte> output = new(512);
    int end; // Of the last reply, as its header says.

    public ReadOnlySpan<byte> Written => output.WrittenSpan;

    public void Clear()
    {
        output.ResetWrittenCount();
        end = 0;
    }

    public void Ack(OptionCode option) => Header(option, OptionReplyCode.Ack, 0);

    public void Error(OptionCode option, OptionReplyCode error, string message)
    {
        var text = Encoding.UTF8.GetBytes(message);
        Header(option, error, text.Length);
        output.Write(text);
    }

    public void Server(string name)
    {
        var text = Encoding.UTF8.GetBytes(name);
        Header(OptionCode.List, OptionReplyCode.Server, sizeof(uint) + text.Length);
        UInt32((uint)text.Length);
        output.Write(text);
    }

    public void Info(OptionCode option, ExportSummary summary)
    {
        InfoHeader(option, InfoCode.Export, ExportSummary.SizeBytes);
        Export(summary);
    }

    public void Info(OptionCode option, BlockSizes sizes)
    {
        InfoHeader(option, InfoCode.BlockSize, BlockSizes.SizeBytes);
        sizes.Write(output.GetSpan(BlockSizes.SizeBytes));
        output.Advance(BlockSizes.SizeBytes);
    }

    public void Info(OptionCode option, InfoCode code, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        InfoHeader(option, code, bytes.Length);
        output.Write(bytes);
    }

    public void MetaContext(OptionCode option, uint id, string name)
    {
        var text = Encoding.UTF8.GetBytes(name);
        Header(option, OptionReplyCode.MetaContext, sizeof(uint) + text.Length);
        UInt32(id);
        output.Write(text);
    }

    /// <summary>The answer to NBD_OPT_EXPORT_NAME, which has no header.</summary>
    public void Export(ExportSummary summary)
    {
        summary.Write(output.GetSpan(ExportSummary.SizeBytes));
        output.Advance(ExportSummary.SizeBytes);
    }

    public void Zeros(int count)
    {
        output.GetSpan(count)[..count].Clear();
        output.Advance(count);
    }

    void InfoHeader(OptionCode option, InfoCode code, int payloadBytes)
    {
        Header(option, OptionReplyCode.Info, sizeof(ushort) + payloadBytes);
        BinaryPrimitives.WriteUInt16BigEndian(output.GetSpan(sizeof(ushort)), (ushort)code);
        output.Advance(sizeof(ushort));
    }

    void Header(OptionCode option, OptionReplyCode reply, int lengthBytes)
    {
        Storage.Invariant.Require(output.WrittenCount == end); // The client would take what is left, or missing, for the next header.
        new OptionReplyHeader(option, reply, (uint)lengthBytes).Write(output.GetSpan(OptionReplyHeader.SizeBytes));
        output.Advance(OptionReplyHeader.SizeBytes);
        end = output.WrittenCount + lengthBytes;
    }

    void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(output.GetSpan(sizeof(uint)), value);
        output.Advance(sizeof(uint));
    }
}
