namespace Ashlar.Planning;

/// <summary>A table without an index on its primary key is rare: databases build one by themselves, and it is not small.</summary>
static class SchemaRemark
{
    public static string? Of(RowLayout schema)
    {
        var declared = schema.Fields.FirstOrDefault(field => field.IsPrimaryKey);
        var key = declared ?? schema.Fields[0];
        if (schema.Indexes.Any(index => index.Columns[0] == key.Name)) return null;
        var bytes = Numeral.Format(key.Bytes + schema.IndexOverheadBytes);
        return declared is null
            ? $"The schema names no primary key and has no index that begins with {key.Name}, its first field. If that is the key, "
                + $"the database builds an index for it: add 'index: {key.Name}', {bytes} B a row."
            : "The schema has no index that begins with its primary key: the database builds one. "
                + $"Add 'index: {key.Name}', {bytes} B a row.";
    }
}
