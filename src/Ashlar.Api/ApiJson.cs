using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>How the objects of the API are written: camelCase, absent instead of null, no reflection.</summary>
[JsonSerializable(typeof(ApiIndex))]
[JsonSerializable(typeof(Status))]
[JsonSerializable(typeof(RunningServer))]
[JsonSerializable(typeof(Pool))]
[JsonSerializable(typeof(PoolList))]
[JsonSerializable(typeof(Volume))]
[JsonSerializable(typeof(VolumeList))]
[JsonSerializable(typeof(Snapshot))]
[JsonSerializable(typeof(SnapshotList))]
[JsonSerializable(typeof(SnapshotDeletion))]
[JsonSerializable(typeof(SnapshotChanges))]
[JsonSerializable(typeof(TakeSnapshots))]
[JsonSerializable(typeof(ChangeSnapshot))]
[JsonSerializable(typeof(DeleteSnapshots))]
[JsonSerializable(typeof(CloneSnapshot))]
[JsonSerializable(typeof(CreatePool))]
[JsonSerializable(typeof(TrashedVolume))]
[JsonSerializable(typeof(TrashList))]
[JsonSerializable(typeof(RestoreVolume))]
[JsonSerializable(typeof(VolumeMap))]
[JsonSerializable(typeof(ExtentList))]
[JsonSerializable(typeof(CatalogueEntry))]
[JsonSerializable(typeof(ChangePool))]
[JsonSerializable(typeof(AddPoolDevice))]
[JsonSerializable(typeof(RemovePoolDevice))]
[JsonSerializable(typeof(VolumeFragmentation))]
[JsonSerializable(typeof(StartDefragmentation))]
[JsonSerializable(typeof(ReplacePoolDevice))]
[JsonSerializable(typeof(ImportPool))]
[JsonSerializable(typeof(CreateVolume))]
[JsonSerializable(typeof(ChangeVolume))]
[JsonSerializable(typeof(TaskInfo))]
[JsonSerializable(typeof(TaskList))]
[JsonSerializable(typeof(ChangeTask))]
[JsonSerializable(typeof(StartScrub))]
[JsonSerializable(typeof(FileCustomer))]
[JsonSerializable(typeof(FileCustomerList))]
[JsonSerializable(typeof(FileBucketList))]
[JsonSerializable(typeof(CreateFileCustomer))]
[JsonSerializable(typeof(ChangeFileCustomer))]
[JsonSerializable(typeof(FileUser))]
[JsonSerializable(typeof(FileUserList))]
[JsonSerializable(typeof(CreateFileUser))]
[JsonSerializable(typeof(FileKey))]
[JsonSerializable(typeof(FileKeyList))]
[JsonSerializable(typeof(CreateFileKey))]
[JsonSerializable(typeof(FileNode))]
[JsonSerializable(typeof(FileNodeList))]
[JsonSerializable(typeof(AddFileNode))]
[JsonSerializable(typeof(ChangeFileNode))]
[JsonSerializable(typeof(DrainFileNode))]
[JsonSerializable(typeof(FileNodeDrain))]
[JsonSerializable(typeof(FileEntry))]
[JsonSerializable(typeof(FileListing))]
[JsonSerializable(typeof(FileAction))]
[JsonSerializable(typeof(StartFileVerification))]
[JsonSerializable(typeof(StartPrewarm))]
[JsonSerializable(typeof(FileUploadInfo))]
[JsonSerializable(typeof(FileUploadList))]
[JsonSerializable(typeof(FilePart))]
[JsonSerializable(typeof(FilePartList))]
[JsonSerializable(typeof(BeginFileUpload))]
[JsonSerializable(typeof(CompleteFileUpload))]
[JsonSerializable(typeof(Export))]
[JsonSerializable(typeof(ExportList))]
[JsonSerializable(typeof(CreateExport))]
[JsonSerializable(typeof(ChangeExport))]
[JsonSerializable(typeof(ClientSessionList))]
[JsonSerializable(typeof(Portal))]
[JsonSerializable(typeof(PortalList))]
[JsonSerializable(typeof(ChangePortal))]
[JsonSerializable(typeof(Problem))]
public sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>The one instance to use.</summary>
    public static ApiJson Strict { get; } = new(Apply(new JsonSerializerOptions()));

    /// <summary>Sets options to what the API writes and takes; where its types come from is the caller's.</summary>
    public static JsonSerializerOptions Apply(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.AllowDuplicateProperties = false;
        options.RespectNullableAnnotations = true;
        options.MaxDepth = 16;
        options.Converters.Add(new Rfc3339.Converter());
        // Quotes stay readable. Answers are application/json and never become part of a page.
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        return options;
    }
}
