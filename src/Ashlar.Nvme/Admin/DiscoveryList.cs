using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Transport;

namespace Ashlar.Nvme;

/// <summary>
/// The discovery log (NVM Express Base 2.0, 5.16.1.23): where a host finds each subsystem, through each portal that it can reach.
/// </summary>
/// <remarks>
/// Hosts read the log in pieces, and its header once more at the end: it has another generation whenever it is another log, and the same
/// for as long as it is the same, whoever reads another log meanwhile. So the generation is made of what the log says.
/// </remarks>
static class DiscoveryList
{
    // Header: 0  generation (8)   8  records (8)   16  format of records (2)
    const int HeaderBytes = 1024, RecordBytes = 1024;

    // Record: 0  transport   1  address family   2  kind of subsystem   3  requirements   4  port (2)   6  controller (2)
    //   8  entries of the admin queue (2)   32  service (32)   256  subsystem (256)   512  address (256)   768  security
    const byte Tcp = 3, InterNetwork = 1, InterNetworkV6 = 2, IoSubsystem = 2, MayDisableFlowControl = 1 << 2;

    public static byte[] Describe(IReadOnlyList<string> names, IReadOnlyList<ToldPortal> portals)
    {
        var count = names.Count * portals.Count;
        var log = new byte[HeaderBytes + (count * RecordBytes)];
        for (var i = 0; i < count; i++)
        {
            var record = log.AsSpan(HeaderBytes + (i * RecordBytes), RecordBytes);
            WriteRecord(record, names[i / portals.Count], portals[i % portals.Count]);
        }
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(log, hash);
        hash[..sizeof(ulong)].CopyTo(log);
        BinaryPrimitives.WriteInt64LittleEndian(log.AsSpan(8), count);
        return log;
    }

    static void WriteRecord(Span<byte> record, string name, ToldPortal portal)
    {
        record[0] = Tcp;
        record[1] = IsIPv6(portal.Host) ? InterNetworkV6 : InterNetwork;
        record[2] = IoSubsystem;
        record[3] = MayDisableFlowControl;
        BinaryPrimitives.WriteUInt16LittleEndian(record[4..], (ushort)portal.Group);
        BinaryPrimitives.WriteUInt16LittleEndian(record[6..], ConnectData.AnyController);
        BinaryPrimitives.WriteUInt16LittleEndian(record[8..], QueuePair.MaxDepth);
        Blank(record.Slice(32, 32), $"{portal.Port}");
        Encoding.ASCII.GetBytes(name, record.Slice(256, 256));
        Blank(record.Slice(512, 256), portal.Host);
    }

    // A name has no family of its own; hosts resolve it before they look at this.
    static bool IsIPv6(string host) =>
        IPAddress.TryParse(host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;

    static void Blank(Span<byte> field, string text)
    {
        field.Fill((byte)' ');
        Encoding.ASCII.GetBytes(text, field);
    }
}
