use super::*;

#[test]
fn no_class_names_a_column_twice() {
    for schema in all() {
        let mut names: Vec<&str> = schema
            .arrow
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(before, names.len(), "{}", schema.class.name);
        assert_eq!(schema.by_name.len(), schema.columns.len());
    }
}

#[test]
fn columns_point_at_their_arrow_fields_and_paths() {
    for schema in all() {
        for column in &schema.columns {
            let field = schema.arrow.field(column.at);
            assert_eq!(field.name(), column.name);
            assert_eq!(field.data_type(), &arrow_type(column.kind));
            assert_eq!(
                field.metadata().get(OCSF).map(String::as_str),
                Some(column.path)
            );
        }
    }
}

#[test]
fn a_class_is_found_by_its_identifier() {
    assert_eq!(
        ClassSchema::of(4003).map(|s| s.class.name),
        Some("dns_activity")
    );
    assert!(ClassSchema::of(1).is_none());
    let http = ClassSchema::of(4002).unwrap();
    assert!(http.arrow.field_with_name("url_path_tokens").is_ok());
}
