using System.Buffers.Binary;

namespace Ashlar.Nvme;

/// <summary>Identify (NVM Express Base 2.0, 5.17, and NVM Command Set 1.0, 4.1.5): answers of 4 KiB each.</summary>
static class Identification
{
    public const int SizeBytes = 4096;

    /// <summary>The number of the only namespace.</summary>
    public const uint NamespaceId = 1;

    const byte Namespace = 0x00, ThisController = 0x01, ActiveNamespaces = 0x02, NamespaceDescriptors = 0x03;
    const byte NamespaceOfCommandSet = 0x05, ControllerOfCommandSet = 0x06, ActiveNamespacesOfCommandSet = 0x07;
    const byte NamespaceOfAnyCommandSet = 0x08, CommandSets = 0x1C;
    const byte NvmCommandSet = 0;

    /// <summary>Dword 10 has what is asked for in its lowest byte, dword 11 the command set in its highest.</summary>
    public static AdminReply Answer(Controller controller, in SubmissionEntry entry)
    {
        var what = (byte)entry.Dword10;
        var commandSet = (byte)(entry.Dword11 >> 24);
        var answer = new byte[SizeBytes];
        if (what == ThisController)
        {
            ControllerIdentity.Write(answer, controller);
            return new(NvmeStatus.Success, Data: answer);
        }
        if (controller.Subsystem is not { } subsystem) return AdminReply.Invalid; // Discovery has no namespaces.
        if (what is NamespaceOfCommandSet or ControllerOfCommandSet or ActiveNamespacesOfCommandSet && commandSet != NvmCommandSet)
            return AdminReply.Invalid;

        switch (what)
        {
            case ActiveNamespaces or ActiveNamespacesOfCommandSet:
                // Those above a number, in order; the numbers at the very end are none (5.17.2.2).
                if (entry.NamespaceId >= 0xFFFF_FFFE) return new(NvmeStatus.InvalidNamespace | NvmeStatus.DoNotRetry);
                if (entry.NamespaceId < NamespaceId) BinaryPrimitives.WriteUInt32LittleEndian(answer, NamespaceId);
                break;
            case ControllerOfCommandSet:
                break; // No limit of its own: lengths up to what MDTS says, or what the fields of a command hold.
            case CommandSets:
                answer[0] = 1; // One combination: the NVM command set.
                break;
            case Namespace when entry.NamespaceId == SubmissionEntry.AllNamespaces:
                NamespaceIdentity.WriteCommon(answer, subsystem);
                break;
            case Namespace or NamespaceDescriptors or NamespaceOfCommandSet or NamespaceOfAnyCommandSet:
                if (entry.NamespaceId is 0 or SubmissionEntry.AllNamespaces)
                    return new(NvmeStatus.InvalidNamespace | NvmeStatus.DoNotRetry);
                // What could exist and does not is all zeros (5.17.2.1).
                if (entry.NamespaceId == NamespaceId) WriteNamespace(answer, what, subsystem);
                else if (what == NamespaceDescriptors) return new(NvmeStatus.InvalidNamespace | NvmeStatus.DoNotRetry);
                break;
            default:
                return AdminReply.Invalid;
        }

        return new(NvmeStatus.Success, Data: answer);
    }

    static void WriteNamespace(Span<byte> answer, byte what, NvmeSubsystem subsystem)
    {
        switch (what)
        {
            case Namespace:
                NamespaceIdentity.Write(answer, subsystem);
                break;
            case NamespaceDescriptors:
                NamespaceIdentity.WriteDescriptors(answer, subsystem);
                break;
            case NamespaceOfAnyCommandSet:
                NamespaceIdentity.WriteIndependent(answer, subsystem);
                break;
        }
    }
}
