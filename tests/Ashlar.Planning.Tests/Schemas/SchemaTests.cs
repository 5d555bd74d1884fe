namespace Ashlar.Planning.Tests;

public sealed class SchemaTests
{
    [Theory]
    [InlineData("boolean", 1)]
    [InlineData("smallint", 2)]
    [InlineData("INTEGER", 4)]
    [InlineData("int(11)", 4)]
    [InlineData("bigserial", 8)]
    [InlineData("double  precision", 8)]
    [InlineData("timestamp(3)", 8)]
    [InlineData("timestamp with time zone", 8)]
    [InlineData("uuid", 16)]
    [InlineData("char(10)", 11)]
    [InlineData("char(200)", 204)]
    [InlineData("numeric(12,2)", 11)] // 3 + 2 * 3 groups before the point + 2 * 1 after it
    [InlineData("numeric(4)", 5)]
    [InlineData("decimal(38,18)", 23)] // 3 + 2 * 5 + 2 * 5
    [InlineData("vector(768)", 3080)]
    public void Types_of_one_length_are_known(string type, int bytes) => Assert.Equal(bytes, SqlType.Parse(type).FixedBytes);

    [Theory]
    [InlineData("a varchar(20) avg 8", 9)]
    [InlineData("a text avg 126", 127)]
    [InlineData("a text avg 127", 131)]
    [InlineData("a jsonb avg 2KiB", 2052)]
    [InlineData("a varchar(20) NOT NULL avg 8", 9)]
    [InlineData("a bigint primary key,", 8)]
    [InlineData("a timestamptz null 25%", 6)]
    [InlineData("a text avg 99 null 50%", 50)]
    public void A_line_is_a_field(string line, int bytes) => Assert.Equal(bytes + 28, SchemaFile.Parse(line).RecordBytes);

    [Fact]
    public void Indexes_take_their_columns_and_an_overhead()
    {
        var schema = SchemaFile.Parse("a bigint\nb text avg 10\nindex: a, b\nindex: b\nindex-overhead: 20B\noverhead: 0\n");
        Assert.Equal((19, 19 + 20 + 11 + 20), (schema.RecordBytes, schema.IndexBytes));
    }

    [Theory]
    [InlineData("id bigint\nname strin avg 3", "line 2: 'strin' is no SQL type that is known here")]
    [InlineData("name text", "line 1: 'name text' varies: give its average length")]
    [InlineData("id bigint avg 3", "takes 8 bytes always")]
    [InlineData("id", "field 'id' has no type")]
    [InlineData("id int\nid int", "line 2: field 'id' is there already")]
    [InlineData("id int\nindex: nme", "an index is on 'nme'")]
    [InlineData("id int\nindex:", "an index without columns")]
    [InlineData("id int\nkeys: id", "'keys:' is not known")]
    [InlineData("id int\noverhead: 1\noverhead: 2", "is there already")]
    [InlineData("id int\noverhead: -1", "negative")]
    [InlineData("a text avg 0", "zero")]
    [InlineData("a text avg -1", "negative")]
    [InlineData("a text avg 2GiB", "the longest is 1GiB")]
    [InlineData("a varchar(10) avg 41", "cannot be 41 bytes long")]
    [InlineData("a numeric(2,5)", "a precision of 1 to 1000")]
    [InlineData("a varchar(x) avg 3", "expected sizes such as (20)")]
    [InlineData("a varchar(20 avg 3", "expected sizes such as (20)")]
    [InlineData("a int null 130%", "the most is 100 %")]
    [InlineData("# nothing", "it has no fields")]
    [InlineData("", "it has no fields")]
    public void A_bad_schema_names_line_and_reason(string text, string why) =>
        Assert.Contains(why, Assert.Throws<FormatException>(() => SchemaFile.Parse(text)).Message, StringComparison.Ordinal);
}
